"""What judging costs the whole way, from a request to the stored verdict, beside the engine alone."""
