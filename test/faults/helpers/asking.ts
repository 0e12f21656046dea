import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import type { UpstreamOptions } from '../../../src/upstream/spec/options.ts'
import { Id, Word, wordPath } from './stage.ts'

/** An upstream that is asked for one word, and an aggregate at `/{name}?id=` that must have it. */
export function asking(name: string, options: UpstreamOptions, deadline = 10_000) {
  const upstream = defineUpstream(name, { attemptTimeout: 10_000, ...options }, { word: operation(wordPath) })
  const required = aggregate(name, { url: `/${name}`, query: Id, deadline })
    .required('part', ({ query }) => upstream.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  return { upstream, required }
}
