// A real identity provider for the tests: `oidc-provider` with one client, one user and keys that are new with every
// start. Arguments: the folder of its node_modules, certificate, key, port (0 for a free one), life of a token in seconds.
import { createServer } from 'node:https';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, cert, key, port, life] = process.argv.slice(2);
const { default: Provider, errors } = await import(
  pathToFileURL(createRequire(`${modules}/`).resolve('oidc-provider')).href
);
const AUDIENCE = 'urn:asyncos';
const SCOPE = 'read';

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
const issuer = `https://127.0.0.1:${server.address().port}`;

const resourceServer = {
  scope: SCOPE,
  audience: AUDIENCE,
  accessTokenFormat: 'jwt',
  accessTokenTTL: Number(life),
  jwt: { sign: { alg: 'ES256' } },
};
const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const client = (id, rest) => ({
  client_id: id,
  grant_types: ['client_credentials', 'password'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
  ...rest,
});
const secret = { client_secret: 's3 cret:of/the&client+' };
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...signing, use: 'sig', alg: 'ES256' }] },
  clients: [
    client('exporter', secret),
    client('exporter-post', { ...secret, token_endpoint_auth_method: 'client_secret_post' }),
    client('exporter-public', { grant_types: ['password'], token_endpoint_auth_method: 'none' }),
  ],
  scopes: [SCOPE],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: { enabled: true, getResourceServerInfo: () => resourceServer },
  },
});
provider.registerGrantType(
  'password',
  async (ctx) => {
    const { username, password } = ctx.oidc.params;
    if (username !== 'monitor' || password !== 'p4ss word&') {
      throw new errors.InvalidGrant('user unknown, or the password is wrong');
    }
    const token = new provider.ClientCredentials({ client: ctx.oidc.client, scope: SCOPE });
    token.resourceServer = new provider.ResourceServer(AUDIENCE, resourceServer);
    ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: token.tokenType };
  },
  ['username', 'password', 'scope', 'resource'],
);
const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url === '/token') {
    response.on('finish', () => console.log(`token ${response.statusCode}`));
  }
  answer(request, response);
});
console.log(`address=${server.address().port}`);
