"""What people ask of us by law, and carrying it out: access, portability, correction, erasure, objection, restriction."""
