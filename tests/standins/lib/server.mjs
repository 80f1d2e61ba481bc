// Runs one stand-in: its service over HTTPS and HTTP, its control interface, its one line of addresses, its end.

import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { parseArgs } from 'node:util';

import { makeCertificate } from './certificate.mjs';
import { controlAnswer } from './control.mjs';
import { deliver } from './delivery.mjs';
import { changesAnswer, Faults } from './faults.mjs';
import { json, readRequest } from './http.mjs';
import { Journal } from './journal.mjs';

/// Starts `service` and prints one line of JSON: name, pid, addresses, the CA's file, and `service.facts(addresses)`.
/// The process ends on SIGTERM, on SIGINT and when its standard input closes.
/// A service is { name, faults: [own fault names], answer(request), faultAnswer(rule, request),
/// control: { 'METHOD /path': async (body, query) => value }, facts(addresses) }.
export async function runStandIn(service) {
  const { values } = parseArgs({ options: portOptions() });
  const state = { service, faults: new Faults(service.faults), requests: new Journal() };
  const certificate = makeCertificate();
  const onRequest = (incoming, outgoing) => serve(state, incoming, outgoing);
  const addresses = {
    https: `https://127.0.0.1:${await listen(createHttps(certificate, onRequest), values.port)}`,
    http: `http://127.0.0.1:${await listen(createHttp(onRequest), values['http-port'])}`,
    control: `http://127.0.0.1:${await listen(createHttp(controlListener(state)), values['control-port'])}`,
  };
  endWithParent(certificate);
  const facts = {
    name: service.name,
    pid: process.pid,
    ...addresses,
    ca: certificate.caFile,
    ...service.facts(addresses),
  };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

function portOptions() {
  const port = { type: 'string', default: '0' };
  return { port, 'http-port': port, 'control-port': port };
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port), '127.0.0.1', () => resolve(server.address().port));
  });
}

function endWithParent(certificate) {
  process.on('exit', () => certificate.remove());
  const end = () => process.exit(0);
  process.on('SIGTERM', end).on('SIGINT', end);
  process.stdin.on('end', end).on('close', end).on('error', end).resume();
}

/// One request of the service under test: written down on arrival, answered, and its outcome added to the entry.
async function serve({ service, faults, requests }, incoming, outgoing) {
  try {
    const request = await readRequest(incoming);
    const rule = faults.take(request);
    const { bytes, ...kept } = request;
    const entry = requests.add({
      ...kept,
      size: bytes.length,
      query: Object.fromEntries(request.query),
      fault: rule?.fault ?? null,
    });
    const answer = changesAnswer(rule) ? service.faultAnswer(rule, request) : service.answer(request);
    entry.status = answer.status;
    await deliver(outgoing, answer, rule);
  } catch (error) {
    process.stderr.write(`${service.name}: ${error.stack}\n`);
    outgoing.destroy();
  }
}

function controlListener(state) {
  return async (incoming, outgoing) => {
    const request = await readRequest(incoming);
    const answer = await controlAnswer(state, request).catch((error) => json(400, { error: error.message }));
    await deliver(outgoing, answer, null);
  };
}
