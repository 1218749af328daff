// An identity provider for tests/blackbox/oauth.rs: npm's oidc-provider on a port of this machine, with a grant by password, so
// that a token can be had without a browser. It prints its issuer, then does what lines on its standard input say, each
// answered by a line:
//   rotate   throws its key away and makes another
//   down     closes its port, and every connection
//   up       opens the same port again
// Its end is that of its standard input.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';

const AUDIENCE = 'https://mail.example.org';
const SCOPE = 'mail.send';

// Whoever asks is who he says he is; `unverified` in a name says that nobody has looked.
const email = (accountId) => ({ email: accountId, email_verified: !accountId.includes('unverified') });

const configuration = () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
  return {
    jwks: { keys: [key] },
    scopes: ['openid', 'email', SCOPE],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomUUID()] },
    clients: ['laptop', 'gatepost'].map((client_id) => ({
      client_id,
      client_secret: `secret of ${client_id}`,
      grant_types: ['password', 'client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
    },
    findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...email(accountId) }) }),
    extraTokenClaims: (ctx, token) => (token.accountId ? email(token.accountId) : undefined),
    ttl: { AccessToken: 600, ClientCredentials: 600, IdToken: 600 },
  };
};

// RFC 6749 section 4.3, with `format` (jwt or opaque), `audience` and `scope` of the asker's choice.
const byPassword = async (ctx) => {
  const { provider, client, params } = ctx.oidc;
  const { username, scope = '', audience = AUDIENCE, format = 'jwt' } = params;
  const token = new provider.AccessToken({ client, accountId: username, scope: scope || undefined, gty: 'password' });
  const jwt = { sign: { alg: 'RS256' } };
  token.resourceServer = new provider.ResourceServer(audience, { audience, scope, accessTokenFormat: format, jwt });
  ctx.oidc.entity('AccessToken', token);
  const access_token = await token.save();
  const identity = new provider.IdToken({ sub: username, ...email(username) }, { ctx });
  identity.scope = 'openid email';
  identity.set('at_hash', access_token);
  const id_token = await identity.issue({ use: 'idtoken' });
  ctx.body = { access_token, id_token, token_type: 'Bearer', expires_in: token.expiration };
};

let handler;
let connections = new Set();
const server = createServer((request, response) => handler(request, response));
server.on('connection', (socket) => {
  connections.add(socket);
  socket.on('close', () => connections.delete(socket));
});

const listen = (port) => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
await listen(0);
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;

const rotate = () => {
  const provider = new Provider(issuer, configuration());
  provider.registerGrantType('password', byPassword, ['username', 'scope', 'audience', 'format']);
  handler = provider.callback();
};

const down = () => new Promise((resolve) => {
  server.close(resolve);
  connections.forEach((socket) => socket.destroy());
});

rotate();
console.log(issuer);

for await (const line of createInterface({ input: process.stdin })) {
  await { rotate, down, up: () => listen(port) }[line]();
  console.log('done');
}
process.exit();
