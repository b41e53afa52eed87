// One call through Vercel's AI SDK; its spans, as `seen.py` has them, go to standard output as JSON.
import { embed, generateText, jsonSchema, streamText, tool } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const KINDS = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS = ["UNSET", "OK", "ERROR"];
const began = new Map();
const ended = [];
let clock = 0;
const seen = {
  onStart(span) {
    began.set(span.spanContext().spanId, { began: ++clock, start: { ...span.attributes } });
  },
  onEnd(span) {
    const own = began.get(span.spanContext().spanId);
    const parent = began.get(span.parentSpanContext?.spanId);
    ended.push({
      ...own,
      ...(parent && { parent: parent.began }),
      ended: ++clock,
      name: span.name,
      kind: KINDS[span.kind],
      scope: span.instrumentationScope.name,
      status: STATUS[span.status.code],
      description: span.status.message ?? null,
      end: { ...span.attributes },
      events: span.events.map(({ name, attributes }) => ({ name, attributes: attributes ?? {} })),
    });
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};
new NodeTracerProvider({ spanProcessors: [seen] }).register();

const { MODELS, MODEL, SAID, CALL } = process.env;
const openai = createOpenAI({ baseURL: MODELS, apiKey: "sk-test" });
const common = { maxRetries: 0, experimental_telemetry: { isEnabled: true } };
const asked = {
  ...common,
  model: openai.chat(MODEL),
  system: `${SAID} of the system`,
  prompt: `${SAID} of the user`,
};
const inputSchema = jsonSchema({ type: "object", properties: { city: { type: "string", description: SAID } } });
const lookup = tool({ description: `${SAID} of the tool`, inputSchema, execute: async ({ city }) => `${SAID} of ${city}` });
const calls = {
  chat: () => generateText({ ...asked, temperature: 0.5, maxOutputTokens: 50 }),
  stream: () => streamText(asked).consumeStream(),
  tools: () => generateText({ ...asked, tools: { lookup } }),
  responses: () => generateText({ ...asked, model: openai.responses(MODEL) }),
  embeddings: () => embed({ ...common, model: openai.embedding(MODEL), value: `${SAID} of the user` }),
  error: () => generateText(asked).catch(() => {}),
};
await calls[CALL]();
console.log(JSON.stringify(ended));
