// Prints what the `@anthropic-ai/sdk` package saw as JSON. Usage: anthropic.mjs PROVIDERS LIMITED_KEY,
// pointed by ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { VERSION } from "@anthropic-ai/sdk/version";

const STATUSES = [400, 401, 403, 404, 413, 422, 429, 500, 503, 529];
const QUESTION = [{ role: "user", content: "one two three four" }];
const TOOL = {
  name: "get_weather",
  description: "The weather in a city",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

const [providers, limitedKey] = process.argv.slice(2);
const client = new Anthropic({ maxRetries: 0 });
const limited = new Anthropic({ maxRetries: 0, apiKey: limitedKey });

async function chat(provider) {
  const answer = await client.messages.create({
    model: `${provider}/echo`,
    max_tokens: 50,
    system: "Be brief.",
    messages: [{ role: "user", content: [{ type: "text", text: "Hello there" }] }],
  });
  return { text: answer.content[0].text, stop: answer.stop_reason, output: answer.usage.output_tokens };
}

async function stream(provider) {
  const asked = { model: `${provider}/echo`, max_tokens: 50, messages: QUESTION };
  const final = await client.messages.stream(asked).finalMessage();
  return { text: final.content[0].text, output: final.usage.output_tokens };
}

async function tools(provider) {
  const messages = [{ role: "user", content: "weather in Oslo?" }];
  const asked = { model: `${provider}/tool`, max_tokens: 50, messages, tools: [TOOL] };
  const first = await client.messages.stream(asked).finalMessage();
  const use = first.content.find((block) => block.type === "tool_use");
  messages.push(
    { role: "assistant", content: first.content },
    { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "4 degrees" }] },
  );
  const final = await client.messages.create(asked);
  return { stop: first.stop_reason, name: use.name, input: Object.keys(use.input), text: final.content[0].text };
}

async function failure(asker, model, stream) {
  try {
    const answer = await asker.messages.create({ model, max_tokens: 50, messages: QUESTION, stream });
    if (stream) for await (const _ of answer);
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return {
      class: error.constructor.name,
      status: error.status,
      id: Boolean(error.requestID),
      retry_after: error.headers?.get("retry-after"),
    };
  }
  return { class: null };
}

async function failures(provider, names, stream) {
  const seen = {};
  for (const name of names) seen[name] = await failure(client, `${provider}/${name}`, stream);
  return seen;
}

async function statuses(provider, stream) {
  const seen = {};
  for (const status of STATUSES) seen[status] = await failure(client, `${provider}/error-${status}`, stream);
  return seen;
}

async function receipt(provider) {
  const asked = client.messages.create({ model: `${provider}/echo`, max_tokens: 50, messages: QUESTION });
  const { headers } = await asked.asResponse();
  return Object.fromEntries(["provider", "payer", "attempts"].map((name) => [name, headers.get(`x-ownkey-${name}`)]));
}

const saw = { version: VERSION, models: [], providers: {} };
for await (const model of client.models.list({ limit: 1000 })) saw.models.push(model.id);
for (const provider of providers.split(","))
  saw.providers[provider] = {
    chat: await chat(provider),
    stream: await stream(provider),
    tools: await tools(provider),
    errors: await statuses(provider, false),
    streamed_errors: await statuses(provider, true),
    broken_streams: await failures(provider, ["cut", "stream-error"], true),
    limited: await failure(limited, `${provider}/echo`, false),
    receipt: await receipt(provider),
  };
console.log(JSON.stringify(saw));
