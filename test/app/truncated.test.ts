import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

test('a truncated list is in the body, in the headers and in the log of a reply, and an error is a problem', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json(request.url, request.url === '/lost' ? 404 : 200))
  const { item, ids } = defineUpstream(
    'shop',
    { origin: upstream.origin, retry: false },
    {
      item: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.string() }),
      ids: operation({ path: '/ids', output: z.string() }),
    },
  )
  const declare = (name: string, overflow: 'error' | 'truncate', envelope = true) =>
    aggregate(name, { url: `/v1/${name}`, envelope, query: z.object({ id: z.array(z.string()) }) })
      .each('items', ({ query }) => query.id.map(id => item({ id })), {
        maxItems: 2,
        overflow,
        minSuccess: 0,
        fallback: null,
      })
      .reply(z.array(z.string().nullable()), ({ items }) => items)
  const fromUpstream = aggregate('strict', { url: '/v1/strict' })
    .required('ids', () => ids())
    .each('items', ({ ids }) => Array.from(ids, id => item({ id })), {
      needs: ['ids'],
      maxItems: 2,
      minSuccess: 0,
      fallback: null,
    })
    .reply(z.unknown(), ({ items }) => items)
  const lines: Record<string, unknown>[] = []
  const { get } = await serveApp(t, {
    aggregates: [
      declare('boxed', 'truncate'),
      declare('bare', 'truncate', false),
      declare('limited', 'error'),
      fromUpstream,
    ],
    logger: {
      level: 'info',
      stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    },
  })

  const boxed = await get('/v1/boxed?id=a&id=lost&id=c&id=d&id=e')
  t.match(boxed, {
    status: 200,
    body: {
      data: ['/a', null],
      complete: false,
      sources: { items: { state: 'partial', calls: 2, ok: 1, failed: [{ index: 1, status: 404 }], omitted: 3 } },
    },
  })
  t.match(boxed.headers.get('server-timing'), /^items;dur=[\d.]+;desc="partial"$/)
  t.equal(boxed.headers.get('cache-control'), 'no-store')
  t.match(lines.at(-1), {
    msg: 'reply is partial',
    sources: { items: { state: 'partial', code: 'UPSTREAM_STATUS', omitted: 3 } },
  })

  const bare = await get('/v1/bare?id=a&id=b&id=c')
  t.same([bare.body, bare.headers.get('headwaters-complete')], [['/a', '/b'], '?0'])
  t.match(bare.headers.get('headwaters-sources'), /^items=partial;.*;calls=2;ok=2;omitted=1;failed=0$/)
  t.match(lines.at(-1), {
    msg: 'reply is partial',
    sources: { items: { state: 'partial', calls: 2, ok: 2, omitted: 1 } },
  })

  await get('/v1/boxed?id=lost&id=b')
  t.notMatch(JSON.stringify(lines.at(-1)), 'omitted', 'a partial reply without omitted items has none')

  t.match(await get('/v1/limited?id=a&id=b&id=c'), {
    status: 400,
    body: { code: 'TOO_MANY_ITEMS', sources: { items: { state: 'failed', code: 'TOO_MANY_ITEMS' } } },
  })
  t.match(await get('/v1/strict'), { status: 502, body: { code: 'UPSTREAM_TOO_MANY_ITEMS' } })
})
