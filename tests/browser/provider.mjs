// A real OpenID Connect provider for the tests, on this machine only: panva's certified oidc-provider. Of its versions 8,
// since 9 does not run on the node of Debian 12 and Ubuntu 24.04.
//   node provider.mjs '{"redirects": ["http://127.0.0.1:9000/login/oidc/callback"]}'
// says `listening http://127.0.0.1:PORT` when it does, and ends when its standard input does. Tests written in
// JavaScript import `provide`. Options: PROVIDER below.
//
// POST /test/rotate makes a new signing key and drops the old one; sign-ins that are under way live on.
// POST /test/trouble makes it misbehave from now on, by what the JSON in the body says (nothing: no more trouble):
//   {"claims": {...}}   each ID token has these claims instead of its own, signed with the provider's own key
//   {"alg": "none"}     ID tokens are not signed; {"alg": "HS256"}: signed with the client's secret
//   {"redirect": PATH}  what is asked at PATH is sent on to /test/elsewhere, which counts its visitors
//   {"answer": {...}}   the browser takes these parameters to the console instead of the real ones
//   {"people": {...}}   it says this of everybody
//   {"endless": PATH}   the answer at PATH does not end
import { generateKeyPairSync, randomUUID } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { fileURLToPath } from "node:url";
import { decodeJwt, SignJWT, UnsecuredJWT, importJWK } from "jose";
import Provider from "oidc-provider";

export const PEOPLE = {
  alice: { name: "Alice Adams", email: "alice@example.com", groups: ["wheelhouse-admins", "everybody"] },
  bob: { name: "Bob Brown", email: "bob@example.com", groups: ["wheelhouse-viewers"] },
  carol: { name: "Carol Clark", email: "carol@example.com", groups: [] },
};

const PROVIDER = {
  /** 0 is any free one; the same again is a restart. */
  port: 0,
  client: "wheelhouse",
  secret: "a-secret-of-the-tests-0123456789",
  redirects: ["http://127.0.0.1:9000/login/oidc/callback"],
  /** Whether names and groups are in the ID token; by the standard's default they are in userinfo only. */
  inToken: false,
  /** Files with a certificate and its key (PEM): it speaks TLS then. */
  tls: null,
  /** Other paths than its usual ones, by oidc-provider's names for them. */
  routes: {},
};

const key = () => ({ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" });

/** Starts one; answers with its address and how to end it. */
export async function provide(options = {}) {
  const { port, client, secret, redirects, inToken, tls, routes } = { ...PROVIDER, ...options };
  let signing = key(), trouble = {}, elsewhere = 0;
  const listener = (ask, answer) => serve(ask, answer).catch((error) => answer.writeHead(500).end(String(error?.stack ?? error)));
  const server = tls ? https.createServer({ cert: fs.readFileSync(tls.cert), key: fs.readFileSync(tls.key) }, listener) : http.createServer(listener);
  await new Promise((listens, fails) => server.once("error", fails).listen(port, "127.0.0.1", listens));
  const url = `http${tls ? "s" : ""}://127.0.0.1:${server.address().port}`;

  const memory = remember();
  const make = () => {
    const it = new Provider(url, {
      clients: [{ client_id: client, client_secret: secret, redirect_uris: redirects, grant_types: ["authorization_code"], response_types: ["code"] }],
      jwks: { keys: [signing] },
      adapter: memory,
      routes,
      // So that a token under the client's secret would be one of its own.
      enabledJWA: { idTokenSigningAlgValues: ["RS256", "HS256"] },
      cookies: { keys: ["of the tests"] },
      claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"], groups: ["groups", "realm_access"] },
      conformIdTokenClaims: !inToken,
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
      findAccount: (_, id) => PEOPLE[id] && {
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, ...PEOPLE[id], realm_access: { roles: PEOPLE[id].groups }, ...trouble.people }),
      },
      // Whoever is signed in has agreed.
      async loadExistingGrant({ oidc }) {
        const grant = new it.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
        grant.addOIDCScope(oidc.params.scope);
        await grant.save();
        return grant;
      },
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    });
    return it;
  };
  let provider = make();

  async function serve(ask, answer) {
    const { pathname } = new URL(ask.url, url);
    if (pathname === "/test/elsewhere") return elsewhere++, answer.writeHead(200, { "content-type": "application/json" }).end("{}");
    if (pathname === "/test/visitors") return answer.end(String(elsewhere));
    if (pathname === "/test/rotate") return signing = key(), provider = make(), answer.writeHead(204).end();
    if (pathname === "/test/trouble") return trouble = JSON.parse((await body(ask)) || "{}"), answer.writeHead(204).end();
    if (pathname === trouble.redirect) return answer.writeHead(307, { location: `${url}/test/elsewhere?secret=1` }).end();
    if (pathname === trouble.endless) return answer.writeHead(200, { "content-type": "application/json" }), pour(answer);
    if (pathname.startsWith("/sign-in/")) return signIn(ask, answer);
    if (pathname === "/token" && (trouble.claims || trouble.alg)) rewrite(answer, async (said) => ({ ...said, id_token: await forge(said.id_token) }));
    if (trouble.answer && pathname.startsWith("/auth")) readdress(answer);
    return provider.callback()(ask, answer);
  }

  // Its own page, so that a test fills in a form as a person does.
  async function signIn(ask, answer) {
    const { params } = await provider.interactionDetails(ask, answer);
    let wrong = "";
    if (ask.method === "POST") {
      const form = new URLSearchParams(await body(ask));
      const login = form.get("login") ?? "";
      if (form.has("cancel")) {
        return provider.interactionFinished(ask, answer, { error: "access_denied", error_description: "the person said no" });
      }
      if (Object.hasOwn(PEOPLE, login)) return provider.interactionFinished(ask, answer, { login: { accountId: login } });
      wrong = "<p role=alert>Nobody of that name.</p>";
    }
    answer.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(
      `<!doctype html><html lang=en><title>Sign in</title><link rel=icon href="data:,"><h1>The organisation's sign-in</h1>${wrong}
      <p>For ${params.client_id}.</p><form method=post><label>Name <input name=login autofocus></label>
      <button>Sign in</button> <button name=cancel value=1>Cancel</button></form></html>`);
  }

  async function forge(token) {
    const claims = { ...decodeJwt(token), ...trouble.claims };
    if (trouble.alg === "none") return new UnsecuredJWT(claims).encode();
    if (trouble.alg === "HS256") return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: signing.kid }).sign(await importJWK(signing, "RS256"));
  }

  // Where the provider sends the browser back to the console, with other parameters.
  function readdress(answer) {
    const set = answer.setHeader.bind(answer);
    answer.setHeader = (name, value) => {
      if (name.toLowerCase() === "location" && redirects.some((back) => String(value).startsWith(back))) {
        const back = new URL(value);
        for (const [word, said] of Object.entries(trouble.answer)) said === null ? back.searchParams.delete(word) : back.searchParams.set(word, said);
        value = back.href;
      }
      return set(name, value);
    };
  }

  return { url, client, secret, stop: () => new Promise((ended) => { server.close(ended); server.closeAllConnections(); }) };
}

// What a provider keeps, where it outlives a change of keys. Nothing expires: no test takes that long.
function remember() {
  const kept = new Map();
  return (model) => ({
    upsert: async (id, what) => void kept.set(`${model} ${id}`, { ...what }),
    find: async (id) => kept.get(`${model} ${id}`),
    findByUid: async (uid) => [...kept].find(([key, what]) => key.startsWith(`${model} `) && what.uid === uid)?.[1],
    consume: async (id) => void (kept.get(`${model} ${id}`).consumed = Math.floor(Date.now() / 1000)),
    destroy: async (id) => void kept.delete(`${model} ${id}`),
    revokeByGrantId: async (grant) => { for (const [key, what] of kept) if (what.grantId === grant) kept.delete(key); },
  });
}

function pour(answer) {
  while (!answer.destroyed && answer.write(" ".repeat(65_536)));
  answer.once("drain", () => pour(answer));
}

// Passes a JSON answer on as `change` makes it.
function rewrite(answer, change) {
  const end = answer.end.bind(answer);
  answer.end = (text) => {
    const said = JSON.parse(text);
    Promise.resolve(said.id_token ? change(said) : said).then((said) => {
      const text = JSON.stringify(said);
      answer.setHeader("content-length", Buffer.byteLength(text));
      end(text);
    });
    return answer;
  };
}

async function body(ask) {
  let text = "";
  for await (const chunk of ask.setEncoding("utf8")) text += chunk;
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await provide(JSON.parse(process.argv[2] ?? "{}"));
  console.log(`listening ${url}`);
  process.stdin.on("end", () => process.exit()).resume();
}
