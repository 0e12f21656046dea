import { test } from 'tap'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { dnsServer } from '../../helpers/dns-server.ts'
import { declareCats, numbered } from '../../helpers/origin-list.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'

test('the first call succeeds although DNS does not answer the question for IPv6', async t => {
  const { port } = await rawUpstream(t, numbered(7))
  const dns = await dnsServer(t)
  dns.set('cats.example', { A: ['127.0.0.1'], fails: { AAAA: 'silence' } })
  const cats = declareCats([{ origin: `http://cats.example:${port}`, addresses: true }])
  const runtime = createRuntime({ dnsServers: [dns.address] })
  t.teardown(() => runtime.close())
  const { value } = await runtime.send(testRun().ask(cats.cat({ id: '1' })))
  t.equal(value, 7)
})
