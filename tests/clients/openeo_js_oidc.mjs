// A user of the openEO client for JavaScript, logged in at an identity provider: the token is given, as a page that the
// provider sent its user back to has it. Arguments: address, provider, token.
import { createRequire } from 'node:module';
const { OpenEO } = createRequire(import.meta.url)('@openeo/js-client');

const [address, provider, token] = process.argv.slice(2);
const connection = await OpenEO.connect(address);
const oidc = (await connection.listAuthProviders()).find((one) => one.getType() === 'oidc');
oidc.setToken(token);
connection.setAuthProvider(oidc);
const me = await connection.describeAccount();
console.log(JSON.stringify({ provider: oidc.getProviderId(), me, jobs: (await connection.listJobs()).length }));
if (oidc.getProviderId() !== provider) process.exit(1);
