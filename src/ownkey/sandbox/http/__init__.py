"""The sandbox's HTTP server: asyncio and httptools, without a framework."""
