// npm alipay-sdk: parse and verify one notification, as its users do.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.PEER_NODE_MODULES}/`);
const { AlipaySdk } = require('alipay-sdk');

let sdk;
let body;
const work = () => sdk.checkNotifySignV2(Object.fromEntries(new URLSearchParams(body)));

for await (const line of createInterface({ input: process.stdin })) {
  if (!sdk) {
    const given = JSON.parse(line);
    body = given.body;
    sdk = new AlipaySdk({
      appId: '2021004133624086',
      privateKey: given.private_key_pkcs1,
      alipayPublicKey: given.public_key,
    });
    console.log(work() ? 'ready' : 'refused');
    continue;
  }
  const started = process.hrtime.bigint();
  for (let i = 0; i < Number(line); i += 1) work();
  console.log(Number(process.hrtime.bigint() - started) / 1e9);
}
