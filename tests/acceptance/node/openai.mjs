// Prints what the `openai` package saw as JSON. Usage: openai.mjs PROVIDERS LIMITED_KEY, pointed by
// OPENAI_BASE_URL and OPENAI_API_KEY.
import OpenAI, { APIError } from "openai";
import { VERSION } from "openai/version";

const STATUSES = [400, 401, 403, 404, 409, 422, 429, 500, 503, 529];
const QUESTION = [{ role: "user", content: "one two three four" }];
const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const [providers, limitedKey] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0 });
const limited = new OpenAI({ maxRetries: 0, apiKey: limitedKey });

async function chat(provider) {
  const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello there" }];
  const answer = await client.chat.completions.create({ model: `${provider}/echo`, messages });
  const [choice] = answer.choices;
  return { text: choice.message.content, stop: choice.finish_reason, output: answer.usage.completion_tokens };
}

async function stream(provider) {
  const asked = { model: `${provider}/echo`, messages: QUESTION, stream_options: { include_usage: true } };
  const final = await client.chat.completions.stream(asked).finalChatCompletion();
  return { text: final.choices[0].message.content, output: final.usage.completion_tokens };
}

async function tools(provider) {
  const messages = [{ role: "user", content: "weather in Oslo?" }];
  const asked = { model: `${provider}/tool`, messages, tools: [TOOL] };
  const [first] = (await client.chat.completions.create(asked)).choices;
  const [call] = first.message.tool_calls;
  messages.push(first.message, { role: "tool", tool_call_id: call.id, content: "4 degrees" });
  const final = await client.chat.completions.create(asked);
  return {
    stop: first.finish_reason,
    name: call.function.name,
    input: Object.keys(JSON.parse(call.function.arguments)),
    text: final.choices[0].message.content,
  };
}

async function failure(asker, model, stream) {
  try {
    const answer = await asker.chat.completions.create({ model, messages: QUESTION, stream });
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
  const asked = client.chat.completions.create({ model: `${provider}/echo`, messages: QUESTION });
  const { headers } = await asked.asResponse();
  return Object.fromEntries(["provider", "payer", "attempts"].map((name) => [name, headers.get(`x-ownkey-${name}`)]));
}

const saw = { version: VERSION, models: [], providers: {} };
for await (const model of client.models.list()) saw.models.push(model.id);
const embedded = await client.embeddings.create({ model: "openai/text-embedding-3-small", input: ["a", "b"] });
saw.embeddings = embedded.data.length;
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
