"""Journeys as code: files that hold a journey with cases it must pass, told and read strictly."""
