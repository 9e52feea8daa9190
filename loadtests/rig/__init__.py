"""What a load test stands on: the application and its servers, watched and put to trouble."""
