import { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { startService } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'

const maxBytes = 5 * 1024 * 1024
const body = JSON.stringify({ items: Array.from({ length: 5000 }, (_, index) => String(index).padEnd(1030, 'x')) })

test(
  'large answers fill no old space of 96 MB, however many callers ask for them at once: what has no room is refused',
  { timeout: 120_000 },
  async t => {
    t.ok(body.length <= maxBytes && body.length > 0.95 * maxBytes)
    const upstream = await httpUpstream(t, ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
    const { path } = definitionsFolder(t, {
      'large.mjs': `
    import { aggregate, defineUpstream, operation } from 'headwaters'
    import { z } from 'zod'
    const Items = z.object({ items: z.array(z.string()) })
    const source = defineUpstream('source', { origin: '${upstream.origin}', attemptTimeout: 60_000, retry: false }, {
      items: operation({ path: '/', output: Items }),
    })
    export const large = aggregate('large', { url: '/large', deadline: 60_000 })
      .required('items', () => source.items())
      .reply(Items, ({ items }) => items)
  `,
    })
    const { origin } = await startService(t, { MAX_LOOP_DELAY_MS: '0' }, ['serve', path], {
      node: ['--max-old-space-size=96'],
    })

    /** How so many requests at once end. */
    async function ask(count: number): Promise<Record<string, number>> {
      const ends: Record<string, number> = {}
      await Promise.all(
        Array.from({ length: count }, async () => {
          const answer = await fetch(`${origin}/large`)
          const text = await answer.text()
          const end =
            answer.status === 200
              ? text.length > body.length
                ? 'whole'
                : 'cut'
              : (JSON.parse(text) as { readonly code: string }).code
          ends[end] = (ends[end] ?? 0) + 1
        }),
      )
      return ends
    }

    t.same(await ask(2), { whole: 2 })
    for (const count of [10, 40]) {
      const { whole = 0, SHED: shed = 0, OVERLOADED: refused = 0, ...others } = await ask(count)
      t.same(others, {})
      t.ok(whole > 0, `${whole} whole of ${count}, ${shed} shed, ${refused} refused`)
    }
    await until(async () => (await ask(1))['whole'] === 1, { withinMs: 60_000 })
    t.equal((await fetch(`${origin}/health/ready`)).status, 200)
  },
)
