"""Amazon Bedrock's Converse and ConverseStream, which only providers speak."""
