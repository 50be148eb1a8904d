// A real OpenID provider (panva's oidc-provider) without a page to click through: whoever POST /test/person
// named last is signed in at once, with the claims that it gave.
//
// Started as `node server.mjs <port> <redirect url>`; says `ready` once it listens.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, redirectUrl] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' };
let person = { sub: 'nobody', claims: {} };

const client = (id) => ({
  client_id: id,
  client_secret: `secret-of-${id}-which-is-long-enough`,
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code'],
  response_types: ['code'],
});

const provider = new Provider(issuer, {
  clients: [client('mannequin'), client('another')],
  jwks: { keys: [key] },
  cookies: { keys: ['for tests alone'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, ...person.claims }) }),
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

const read = async (request) => {
  let body = '';
  for await (const part of request) body += part;
  return JSON.parse(body);
};

const answer = provider.callback();
createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/test/person') {
    person = await read(request);
    response.end();
  } else if (request.url.startsWith('/interaction/')) {
    await provider.interactionFinished(request, response, { login: { accountId: person.sub } });
  } else {
    await answer(request, response);
  }
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
