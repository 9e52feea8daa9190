"""Who sends what when, drawn before the load begins."""
