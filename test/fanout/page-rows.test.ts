import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { byCursor } from '../../src/fanout/page-by-cursor.ts'
import { byOffset } from '../../src/fanout/page-by-offset.ts'
import type { NextPage } from '../../src/fanout/page-types.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { collected } from '../helpers/collected.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'

const total = 10_000
const size = 100
const row = (index: number) => ({ id: index, text: `${index} `.padEnd(200, 'row ') })
const Rows = z.object({ rows: z.array(z.object({ id: z.number(), text: z.string() })), total: z.number() })
/** The bytes of all rows as JSON. */
const bytes = total * JSON.stringify(row(total / 2)).length

/** The memory that is in use after a collection, buffers included. */
async function usedBytes(): Promise<number> {
  // A collection frees only later what finalizers and other weak references have held.
  for (let times = 0; times < 3; times++) await collected()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('10,000 rows over 100 pages arrive in order within memory bounds', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    const offset = Number(new URL(request.url ?? '', 'http://x.test').searchParams.get('offset'))
    json({ rows: Array.from({ length: size }, (_, index) => row(offset + index)), total })
  })
  const { rows } = defineUpstream(
    'shop',
    { origin: upstream.origin },
    { rows: operation({ path: '/rows', query: z.object({ offset: z.number() }), output: Rows }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  /** The memory in use when the last page has arrived. */
  let atEnd = 0
  function declare(next: NextPage<z.infer<typeof Rows>, object>) {
    return aggregate('rows', { url: '/rows', deadline: 60_000 })
      .pages('rows', () => rows({ offset: 0 }), {
        next: async (page, index, args, pages) => {
          if (index === total / size - 1) atEnd = await usedBytes()
          return next(page, index, args, pages)
        },
        concurrency: 4,
      })
      .reply(z.object({ count: z.number(), isOrdered: z.boolean() }), ({ rows: pages }) => {
        const ids = pages.flatMap(page => page.rows.map(({ id }) => id))
        return { count: ids.length, isOrdered: ids.every((id, index) => id === index) }
      })
  }
  for (const described of [
    declare(byOffset({ total: page => page.total, count: page => page.rows.length }, offset => rows({ offset }))),
    declare(
      byCursor(
        page => ((page.rows.at(-1)?.id ?? 0) + 1) % total || null,
        offset => rows({ offset }),
      ),
    ),
  ]) {
    // The first run loads code, opens connections and fills caches.
    await fanOut(described, {}, { runtime })
    const before = await usedBytes()
    const { data, complete, sources } = await fanOut(described, {}, { runtime })
    t.same({ data, complete }, { data: { count: total, isOrdered: true }, complete: true })
    t.match(sources.rows, { state: 'ok', calls: 100, ok: 100, failed: [] })
    t.ok(atEnd - before < 2 * bytes, `${atEnd - before} bytes at the last page, of ${bytes} bytes of rows`)
    t.ok(atEnd - before > bytes / 2, 'the rows are in memory at the last page')
    const after = await usedBytes()
    t.ok(after - before < bytes / 4, `${after - before} bytes after the run`)
  }
})
