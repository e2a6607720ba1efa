"""OpenAI's legacy text completions. Clients speak them to every provider: through chat where it only chats."""
