// Prints what the `@google/genai` package saw as JSON. Usage: google_genai.mjs PROVIDERS LIMITED_KEY,
// pointed by GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY.
import { readFileSync } from "node:fs";
import { ApiError, GoogleGenAI } from "@google/genai";

const STATUSES = [400, 401, 403, 404, 429, 500, 503];
const QUESTION = "one two three four";
const WEATHER = {
  name: "get_weather",
  description: "The weather in a city",
  parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

const [providers, limitedKey] = process.argv.slice(2);
const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const limited = new GoogleGenAI({ apiKey: limitedKey });

async function chat(provider) {
  const config = { systemInstruction: "Be brief." };
  const answer = await client.models.generateContent({ model: `${provider}/echo`, contents: "Hello there", config });
  const [candidate] = answer.candidates;
  return { text: answer.text, stop: candidate.finishReason, output: answer.usageMetadata.candidatesTokenCount };
}

async function stream(provider) {
  let text = "";
  let last;
  for await (const chunk of await client.models.generateContentStream({ model: `${provider}/echo`, contents: QUESTION })) {
    text += chunk.text ?? "";
    last = chunk;
  }
  return { text, output: last.usageMetadata.candidatesTokenCount };
}

async function tools(provider) {
  const config = { tools: [{ functionDeclarations: [WEATHER] }] };
  const contents = [{ role: "user", parts: [{ text: "weather in Oslo?" }] }];
  const asked = { model: `${provider}/tool`, contents, config };
  const first = await client.models.generateContent(asked);
  const [call] = first.functionCalls;
  const result = { functionResponse: { id: call.id, name: call.name, response: { result: "4 degrees" } } };
  contents.push(first.candidates[0].content, { role: "user", parts: [result] });
  const final = await client.models.generateContent(asked);
  return {
    stop: first.candidates[0].finishReason,
    name: call.name,
    input: Object.keys(call.args),
    text: final.text,
  };
}

async function failure(asker, model, streamed) {
  try {
    if (!streamed) await asker.models.generateContent({ model, contents: QUESTION });
    else for await (const _ of await asker.models.generateContentStream({ model, contents: QUESTION }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { class: error.constructor.name, status: error.status };
  }
  return { class: null };
}

async function statuses(provider, streamed) {
  const seen = {};
  for (const status of STATUSES) seen[status] = await failure(client, `${provider}/error-${status}`, streamed);
  return seen;
}

async function receipt(provider) {
  const answer = await client.models.generateContent({ model: `${provider}/echo`, contents: QUESTION });
  const { headers } = answer.sdkHttpResponse;
  return Object.fromEntries(["provider", "payer", "attempts"].map((name) => [name, headers[`x-ownkey-${name}`]]));
}

const { version } = JSON.parse(readFileSync("node_modules/@google/genai/package.json", "utf8"));
const saw = { version, models: [], providers: {} };
for await (const model of await client.models.list()) saw.models.push(model.name.replace(/^models\//, ""));
const embedded = await client.models.embedContent({ model: "gemini/gemini-embedding-001", contents: ["a", "b"] });
saw.embeddings = embedded.embeddings.length;
for (const provider of providers.split(","))
  saw.providers[provider] = {
    chat: await chat(provider),
    stream: await stream(provider),
    tools: await tools(provider),
    errors: await statuses(provider, false),
    streamed_errors: await statuses(provider, true),
    broken_streams: { "stream-error": await failure(client, `${provider}/stream-error`, true) },
    limited: await failure(limited, `${provider}/echo`, false),
    receipt: await receipt(provider),
  };
console.log(JSON.stringify(saw));
