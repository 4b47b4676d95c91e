"""What people ask of us by law, and doing it: access, portability, correction, erasure, objection, restriction."""
