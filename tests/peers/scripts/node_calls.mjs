// The official npm SDK, used as its README does. In: {config, calls: [[method, ...arguments]]}.
// Out: one {value} or {error} per call.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';

const require = createRequire(`${process.env.PEER_NODE_MODULES}/`);
const { AlipaySdk } = require('alipay-sdk');

const { config, calls } = JSON.parse(readFileSync(0, 'utf8'));
const sdk = new AlipaySdk(config);
const answers = [];
for (const [method, ...given] of calls) {
  try {
    answers.push({ value: await sdk[method](...given) });
  } catch (thrown) {
    const { name, message, code, responseHttpStatus } = thrown;
    answers.push({ error: { name, message, code, responseHttpStatus } });
  }
}
writeFileSync(1, JSON.stringify(answers));
