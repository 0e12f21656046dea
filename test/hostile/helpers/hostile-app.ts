import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { upstreams } from '../../../src/clients/index.ts'
import { wikipedia } from '../../../src/clients/wikipedia.ts'
import { aggregate, refuse } from '../../../src/fanout/aggregate.ts'
import { aggregates } from '../../../src/routes/index.ts'
import { startDemoUpstreams } from '../../../src/demo-upstreams/index.ts'
import { specOf } from '../../../src/upstream/declare.ts'
import { recordingProxy } from '../../helpers/recording-proxy.ts'
import { stray } from './stray.ts'

/** Hands what a caller wrote in the path straight to an upstream's path, which no built-in aggregate does. */
const article = aggregate('article', { url: '/v1/articles/{title}', params: z.object({ title: z.string() }) })
  .required('summary', ({ params }) => wikipedia.summary({ title: params.title }))
  .reply(z.object({ title: z.string() }), ({ summary }) => summary ?? refuse(404, 'There is no such article.'))

/**
 * The built-in aggregates and one more, over demo upstreams behind proxies that record; and what must not have
 * happened.
 */
export async function hostileApp(t: Test) {
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(() => demoUpstreams.close())
  const names = upstreams.map(each => specOf(each).name as keyof typeof demoUpstreams.origins)
  const proxies = await Promise.all(names.map(name => recordingProxy(t, demoUpstreams.origins[name])))
  const logged: string[] = []
  const app = buildApp([...aggregates, article], {
    rehearsal: true,
    batch: { operations: [wikipedia.summary] },
    overrides: Object.fromEntries(names.map((name, index) => [name, { origin: proxies[index]?.origin as string }])),
    logger: {
      // Probes and refusals that are sampled have a line too.
      level: 'debug',
      stream: {
        write: (text: string) => {
          logged.push(text)
        },
      },
    },
  })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })

  return {
    app,
    port: (app.server.address() as AddressInfo).port,
    /** How many requests the upstreams got. */
    asked: () => proxies.reduce((sum, { lines }) => sum + lines.length, 0),
    /** Requests that left the templates. */
    strays: () =>
      proxies.flatMap(({ lines }, index) => lines.map(line => stray(index, line)).filter(each => each !== undefined)),
    /** Lines of the log at level error or above. */
    errors: () => logged.filter(text => (JSON.parse(text) as { readonly level: number }).level >= 50),
    /** How many lines the log has in all. */
    logged: () => logged.length,
  }
}
