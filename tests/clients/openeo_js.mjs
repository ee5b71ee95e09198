// What a user of the openEO client for JavaScript does, from connecting to the last byte; says in JSON what was seen.
// Arguments: address, user, password, folder for downloads.
import { createRequire } from 'node:module';
const { OpenEO } = createRequire(import.meta.url)('@openeo/js-client');

const [address, user, password, folder] = process.argv.slice(2);
const seen = {};

const connection = await OpenEO.connect(address);
seen.version = connection.capabilities().apiVersion();
seen.can = ['createJob', 'computeResult', 'validateProcess', 'listUserProcesses', 'uploadFile', 'createService',
  'estimateJob', 'debugJob', 'stopJob', 'listFileTypes', 'listServiceTypes', 'listUdfRuntimes', 'describeCollection']
  .filter((feature) => !connection.capabilities().hasFeature(feature));
const basic = (await connection.listAuthProviders()).find((provider) => provider.getType() === 'basic');
await basic.login(user, password);
seen.me = (await connection.describeAccount()).user_id;
seen.collections = (await connection.listCollections()).collections.map((collection) => collection.id);
const about = await connection.describeCollection('S2');
seen.bands = about['cube:dimensions'].bands.values;
seen.processes = 0;
for await (const page of connection.paginateProcesses()) seen.processes += page.length; // 50 at a time; builders know them
seen.formats = Object.keys((await connection.listFileTypes()).getOutputTypes());
seen.services = Object.keys(await connection.listServiceTypes());
seen.runtimes = Object.keys(await connection.listUdfRuntimes());

// A user-defined process, and NDVI under a mask of clouds that uses it.
const stored = await connection.setUserProcess('scaled', {
  parameters: [{ name: 'x', description: 'A number.', schema: { type: 'number' } }],
  process_graph: { m: { process_id: 'multiply', arguments: { x: { from_parameter: 'x' }, y: 100 }, result: true } },
});
seen.stored = (await connection.listUserProcesses()).map((process) => process.id);
const builder = await connection.buildProcess();
const june = ['2022-06-01', '2022-07-01'];
const data = builder.load_collection('S2', null, june, ['B04', 'B08', 'SCL']);
const ndvi = builder.ndvi(builder.filter_bands(data, ['B04', 'B08']), 'B08', 'B04');
const classes = builder.reduce_dimension(builder.filter_bands(data, ['SCL']), (values) => values[0], 'bands');
const cloudy = builder.apply(classes, function (x) { return this.or(this.eq(x, 8), this.eq(x, 9)); });
const clear = builder.reduce_dimension(builder.mask(ndvi, cloudy), function (values) { return this.max(values); }, 't');
const scaled = builder.apply(clear, function (x) { return this.scaled(x); });
const result = builder.save_result(scaled, 'GTiff');
seen.faults = (await connection.validateProcess(result)).length;
await connection.downloadResult(result, `${folder}/sync.tif`);

const job = await connection.createJob(result, 'NDVI', 'By the client for JavaScript.');
seen.estimate = await job.estimateJob();
await job.startJob();
seen.status = await new Promise((resolve) => {
  job.monitorJob((told) => { if (['finished', 'error'].includes(told.status)) resolve(told.status); }, 1, false);
});
seen.log = (await job.debugJob().nextLogs()).map((entry) => entry.message);
seen.assets = (await job.getResultsAsStac()).assets;
seen.files = await job.downloadResults(folder);
seen.jobs = (await connection.listJobs()).map((one) => one.id).includes(job.id);
await job.updateJob({ title: 'Done' });
seen.title = (await job.describeJob()).title;
await job.deleteJob();

const file = await connection.getFile('from_js.txt');
await file.uploadFile(process.argv[1]);
seen.uploaded = (await connection.listFiles()).map((one) => one.path);
await file.deleteFile();

const service = await connection.createService(result, 'XYZ', 'A map', '', true, { range: [0, 100] });
seen.url = (await service.describeService()).url;
await service.deleteService();
await stored.deleteUserProcess();
connection.getAuthProvider().logout();
console.log(JSON.stringify(seen));
