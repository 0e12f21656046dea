import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

test('truncated pages are in the body, in the headers and in the log of a reply, and a loop is a problem', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json(request.url))
  const { list } = defineUpstream(
    'shop',
    { origin: upstream.origin },
    { list: operation({ path: '/list', query: z.object({ page: z.number() }), output: z.string() }) },
  )
  const declare = (name: string, envelope: boolean, onLoss: 'fail' | 'keep' = 'fail', modulo = 9) =>
    aggregate(name, { url: `/v1/${name}`, envelope })
      .pages('list', () => list({ page: 0 }), {
        next: (_, index) => list({ page: (index + 1) % modulo }),
        maxPages: 2,
        overflow: 'truncate',
        onLoss,
      })
      .reply(z.array(z.string()), ({ list: pages }) => pages)
  const lines: Record<string, unknown>[] = []
  const { get } = await serveApp(t, {
    aggregates: [
      declare('boxed', true),
      declare('bare', false),
      declare('looping', true, 'fail', 1),
      declare('kept', true, 'keep', 1),
    ],
    logger: {
      level: 'info',
      stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    },
  })

  t.match(await get('/v1/boxed'), {
    status: 200,
    body: {
      data: ['/list?page=0', '/list?page=1'],
      complete: false,
      sources: { list: { state: 'partial', calls: 2, ok: 2, failed: [], omitted: null } },
    },
  })
  t.match(lines.at(-1), { msg: 'reply is partial', sources: { list: { state: 'partial', omitted: null } } })
  const { headers } = await get('/v1/bare')
  t.match(headers.get('headwaters-sources'), /^list=partial;.*;calls=2;ok=2;omitted;failed=0$/)

  t.match(await get('/v1/looping'), {
    status: 502,
    body: {
      type: 'urn:headwaters:problem:upstream-page-loop',
      code: 'UPSTREAM_PAGE_LOOP',
      detail:
        "Step 'list': shop.list refers to a page that was already requested: page 1 has the same call as page 0, " +
        'counted from 0.',
    },
  })
  t.match(await get('/v1/kept'), {
    status: 200,
    body: { data: ['/list?page=0'], sources: { list: { state: 'partial', failed: [{ index: 1 }] } } },
  })
  t.match(lines.at(-1), {
    sources: { list: { code: 'UPSTREAM_PAGE_LOOP', upstream: 'shop', operation: 'list', failed: 1 } },
  })
})
