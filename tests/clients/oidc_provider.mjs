// A real OpenID Connect provider for tests, on a free port of loopback. It prints its issuer when it listens, and
// ends with its standard input. Whoever logs in is who they say; names of staff begin with "staff".
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const RESOURCE = 'urn:geodatacube';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'editor',
        token_endpoint_auth_method: 'none',
        redirect_uris: process.argv.slice(2),
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
      {
        client_id: 'machine',
        client_secret: 'of-the-machine',
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
      },
    ],
    cookies: { keys: ['of-the-tests'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'RS256', use: 'sig' }] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
    clientBasedCORS: () => true,
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: `${sub} of the provider`,
        email: 'somebody@example.org',
        groups: sub.startsWith('staff') ? ['staff'] : [],
      }),
    }),
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (context) => (context.oidc.params?.grant_type === 'client_credentials' ? RESOURCE : undefined),
        getResourceServerInfo: () => ({
          audience: RESOURCE,
          scope: '',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(`ISSUER ${issuer}`);
});
process.stdin.on('end', () => process.exit()).resume();
