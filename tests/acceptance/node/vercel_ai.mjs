// Prints what Vercel's AI SDK saw as JSON. Usage: vercel_ai.mjs VENDOR PROVIDERS LIMITED_KEY; VENDOR is
// openai-chat, openai-responses, anthropic or google. OWNKEY_URL and OWNKEY_API_KEY point all of them.
import { APICallError, embedMany, generateText, stepCountIs, streamText, tool } from "ai";
import { createAnthropic, VERSION as ANTHROPIC } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI, VERSION as GOOGLE } from "@ai-sdk/google";
import { createOpenAI, VERSION as OPENAI } from "@ai-sdk/openai";
import { z } from "zod";

const STATUSES = [400, 401, 403, 404, 429, 500, 503];
const [vendor, providers, limitedKey] = process.argv.slice(2);
const url = process.env.OWNKEY_URL;

function modelsOf(apiKey) {
  switch (vendor) {
    case "openai-chat":
      return createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat;
    case "openai-responses":
      return createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses;
    case "anthropic":
      return createAnthropic({ baseURL: `${url}/v1`, apiKey });
    case "google":
      // A name with a slash is taken for a whole resource name, which begins with `models/`.
      return (name) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })(`models/${name}`);
  }
}

const model = modelsOf(process.env.OWNKEY_API_KEY);
const limited = modelsOf(limitedKey);
const common = { maxRetries: 0, maxOutputTokens: 50 };

async function chat(provider) {
  const asked = { ...common, model: model(`${provider}/echo`), system: "Be brief.", prompt: "Hello there" };
  const answer = await generateText(asked);
  return { text: answer.text, stop: answer.finishReason, output: answer.usage.outputTokens };
}

async function stream(provider) {
  const answer = streamText({ ...common, model: model(`${provider}/echo`), prompt: "one two three four" });
  let text = "";
  for await (const piece of answer.textStream) text += piece;
  return { text, output: (await answer.usage).outputTokens };
}

async function tools(provider) {
  const weather = tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async () => "4 degrees",
  });
  const answer = await generateText({
    ...common,
    model: model(`${provider}/tool`),
    prompt: "weather in Oslo?",
    tools: { get_weather: weather },
    stopWhen: stepCountIs(2),
  });
  const [first] = answer.steps;
  const [call] = first.toolCalls;
  return { stop: first.finishReason, name: call.toolName, input: Object.keys(call.input), text: answer.text };
}

async function failure(asked, streamed) {
  let seen = null;
  const note = (error) => {
    seen = {
      class: error.constructor.name,
      status: error.statusCode ?? null,
      retry_after: error.responseHeaders?.["retry-after"] ?? null,
    };
  };
  try {
    if (!streamed) await generateText(asked);
    else for await (const part of streamText({ ...asked, onError: () => {} }).fullStream) if (part.type === "error") note(part.error);
  } catch (error) {
    if (!APICallError.isInstance(error)) throw error;
    note(error);
  }
  return seen ?? { class: null };
}

async function failures(provider, names, streamed) {
  const seen = {};
  for (const [key, name] of names) {
    const asked = { ...common, model: model(`${provider}/${name}`), prompt: "one two three four" };
    seen[key] = await failure(asked, streamed);
  }
  return seen;
}

async function receipt(provider) {
  const answer = await generateText({ ...common, model: model(`${provider}/echo`), prompt: "one two three four" });
  const { headers } = answer.response;
  return Object.fromEntries(["provider", "payer", "attempts"].map((name) => [name, headers[`x-ownkey-${name}`]]));
}

async function embeddings() {
  const apiKey = process.env.OWNKEY_API_KEY;
  const embedder =
    vendor === "google"
      ? createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey }).textEmbeddingModel("gemini/gemini-embedding-001")
      : createOpenAI({ baseURL: `${url}/v1`, apiKey }).textEmbeddingModel("openai/text-embedding-3-small");
  return (await embedMany({ model: embedder, values: ["a", "b"], maxRetries: 0 })).embeddings.length;
}

const saw = { version: { anthropic: ANTHROPIC, google: GOOGLE }[vendor] ?? OPENAI, providers: {} };
if (vendor !== "anthropic") saw.embeddings = await embeddings();
const statuses = STATUSES.map((status) => [status, `error-${status}`]);
for (const provider of providers.split(","))
  saw.providers[provider] = {
    chat: await chat(provider),
    stream: await stream(provider),
    tools: await tools(provider),
    errors: await failures(provider, statuses, false),
    streamed_errors: await failures(provider, statuses, true),
    broken_streams: await failures(provider, [["cut", "cut"], ["stream-error", "stream-error"]], true),
    limited: await failure({ ...common, model: limited(`${provider}/echo`), prompt: "one" }, false),
    receipt: await receipt(provider),
  };
console.log(JSON.stringify(saw));
