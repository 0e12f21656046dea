import { test } from 'tap'
import type { UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime, type Override } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { dnsServer } from '../../helpers/dns-server.ts'
import { declareCats } from '../../helpers/origin-list.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

const cases: Readonly<Record<string, (origin: string) => { options: Partial<UpstreamOptions>; override?: Override }>> =
  {
    'an upstream with one origin': origin => ({ options: { origin } }),
    'an upstream with a list of one URL': origin => ({ options: { origins: [origin] } }),
    'an upstream with a list that an override replaces by one origin': origin => ({
      options: { origins: ['http://127.0.0.1:9', { origin: 'http://users.example', addresses: true }] },
      override: { origin },
    }),
  }

for (const [name, of] of Object.entries(cases))
  test(`${name} has no choice among origins, no question to a DNS server and no timer`, async t => {
    const server = await rawUpstream(t, json('well'))
    const dns = await dnsServer(t)
    const looked: string[] = []
    const { options, override = {} } = of(`http://cats.example:${server.port}`)
    const { origins, ...others } = options
    const cats = declareCats(origins, others)
    const before = timers()
    const runtime = createRuntime({
      overrides: { cats: override },
      dnsServers: [dns.address],
      lookup(hostname, _options, done) {
        looked.push(hostname)
        done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    })
    t.teardown(() => runtime.close())
    const call = testRun().ask(cats.cat({ id: '1' }))
    t.match(await runtime.send(call), { value: 'well' })
    t.equal(call.attempt.origin, undefined)
    t.equal(call.effort.tried, undefined)
    t.same(looked, ['cats.example'])
    t.same(dns.questions, [])
    t.equal(timers(), before)
    t.notOk('origins' in (runtime.stats()['cats'] ?? {}))
  })
