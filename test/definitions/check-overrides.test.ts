import { test } from 'tap'
import { ConfigError } from '../../src/config.ts'
import { openCatalogue } from '../../src/definitions/catalogue.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'

const definitions = `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const operations = { ask: operation({ path: '/ask', output: z.unknown() }) }
defineUpstream('far', { origin: 'http://far.example', proxy: 'http://proxy.example:3128' }, operations)
export const it: unknown = aggregate('it', { url: '/it' }).reply(z.unknown(), () => 1)
`

test('DNS records in _ORIGINS are refused for an upstream with a proxy', async t => {
  const open = (list: string) => {
    const { path } = definitionsFolder(t, { 'all.ts': definitions })
    return openCatalogue({ paths: [path], live: false, environment: { HEADWATERS_UPSTREAM_FAR_ORIGINS: list } })
  }
  await t.rejects(open('http://far.internal;addresses'), {
    constructor: ConfigError,
    message: "upstream 'far': addresses and srv have no effect with its proxy: list the origins by their URLs",
  })
  const catalogue = await open('http://10.0.0.1,http://10.0.0.2')
  t.teardown(() => catalogue.close())
  t.same(catalogue.overrides, { far: { origins: [{ origin: 'http://10.0.0.1' }, { origin: 'http://10.0.0.2' }] } })
})

test('_ORIGIN and _ORIGINS take precedence over a demo upstream', async t => {
  const demo = 'http://127.0.0.1:9'
  const { overrides, close } = await openCatalogue({
    paths: [],
    live: false,
    demoUpstreams: { 'catfact-ninja': demo, meowfacts: demo, wikipedia: demo },
    environment: {
      HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGINS: 'http://a,http://b',
      HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: 'http://c',
    },
  })
  t.teardown(close)
  t.same(overrides['catfact-ninja'], { origins: [{ origin: 'http://a' }, { origin: 'http://b' }] })
  t.same(overrides['meowfacts'], { origin: 'http://c' })
  t.same(overrides['wikipedia'], { origin: demo })
})
