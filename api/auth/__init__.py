"""Who is asking: logins, and what they let a request do."""
