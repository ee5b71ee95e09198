"""What is live: publishing, subscriptions, the data of packages, webhooks."""
