"""What a load test leaves behind: samples, resources, events, and the summary of them."""
