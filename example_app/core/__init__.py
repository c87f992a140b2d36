"""What every layer may use: exceptions, security, logging. Imports nothing above itself."""
