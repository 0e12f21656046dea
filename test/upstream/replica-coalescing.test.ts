import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { farStore } from '../helpers/far-store.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'

for (const { title, options, requests } of [
  {
    title: 'two runtimes with one store that has leases send one',
    options: { cacheStore: farStore().store },
    requests: 1,
  },
  { title: 'two runtimes without such a store send two', options: {}, requests: 2 },
] satisfies readonly { title: string; options: RuntimeOptions; requests: number }[])
  test(`of equal calls of an operation that replicas coalesce, ${title}`, async t => {
    const { origin, log } = await httpUpstream(t, ({ response, json }) => {
      response.setHeader('cache-control', 'max-age=60')
      json('Tom')
    })
    const cats = defineUpstream(
      'cats',
      { origin },
      { cat: operation({ path: '/tom', output: z.string(), cache: true, coalesce: 'replicas' }) },
    )
    const one = aggregate('one', { url: '/one', deadline: 30_000 })
      .required('cat', () => cats.cat())
      .reply(z.string(), ({ cat }) => cat)
    const runtimes = [createRuntime(options), createRuntime(options)]
    t.teardown(() => Promise.all(runtimes.map(runtime => runtime.close())))
    const replies = await Promise.all(runtimes.map(runtime => fanOut(one, {}, { runtime })))
    t.same(
      replies.map(({ data }) => data),
      ['Tom', 'Tom'],
    )
    t.equal(log.length, requests)
  })
