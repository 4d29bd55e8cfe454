// One visit of a client of the official TypeScript SDKs to the reference server.
// Arguments: the package of the client, its era, the gateway's URL, the token.
// Prints what it saw as one line of JSON.
const [name, era, url, token] = process.argv.slice(2);
const sdk = "@modelcontextprotocol/sdk/client";
const parts =
  name === "sdk"
    ? [await import(`${sdk}/index.js`), await import(`${sdk}/streamableHttp.js`)]
    : [await import("@modelcontextprotocol/client")];
const { Client, StreamableHTTPClientTransport } = Object.assign({}, ...parts);

const mode = era === "modern" ? { pin: "2026-07-28" } : "legacy";
const client = new Client(
  { name: "typescript", version: "1" },
  { capabilities: {}, versionNegotiation: { mode } },
);
const seen = { progress: [], errors: [] };
client.onerror = (error) => seen.errors.push(String(error));

// Only the newer package has dropped the schema in the middle.
function call(tool, args = {}, options = {}) {
  const between = name === "sdk" ? [undefined] : [];
  return client.callTool({ name: tool, arguments: args }, ...between, options);
}

async function refusal(asked) {
  try {
    return { answered: await asked };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
await client.connect(transport);
seen.revision = transport.protocolVersion;
seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
seen.allowed = await call("echo", { message: "hello" });
seen.denied = await call("get-sum", { a: 1, b: 2 });
seen.hidden = await refusal(call("get-env"));
const long = "trigger-long-running-operation";
const onprogress = ({ progress }) => seen.progress.push(progress);
seen.long = await call(long, { duration: 0.2, steps: 2 }, { onprogress });
const stop = new AbortController();
const cancelled = refusal(call(long, { duration: 1, steps: 2 }, { signal: stop.signal }));
setTimeout(() => stop.abort("enough"), 200);
seen.cancelled = await cancelled;
const { resources } = await client.listResources();
seen.resource = await client.readResource({ uri: resources[0].uri });
seen.prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
// A cancelled call has nothing more to say, not even when it would have ended.
await new Promise((done) => setTimeout(done, 1500));
const errors = [...seen.errors];
if (era === "legacy") await transport.terminateSession();
await client.close();
console.log(JSON.stringify({ ...seen, errors }));
