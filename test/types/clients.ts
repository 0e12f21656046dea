import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'

export const Breed = z.object({ id: z.string(), name: z.string() })
export type Breed = z.infer<typeof Breed>
export const Fact = z.object({ fact: z.string(), length: z.number() })
export type Fact = z.infer<typeof Fact>
export const Picture = z.object({ url: z.string() })
export type Picture = z.infer<typeof Picture>
export const Summary = z.object({ title: z.string(), extract: z.string() })
export type Summary = z.infer<typeof Summary>
export const Taken = z.object({ by: z.array(z.string()) })
export type Taken = z.infer<typeof Taken>

/** What the declarations beside this file call. */
export const upstream = defineUpstream(
  'upstream',
  { origin: 'http://upstream.test' },
  {
    breed: operation({ path: '/breeds/{id}', params: z.object({ id: z.string() }), output: Breed }),
    fact: operation({ path: '/fact', query: z.object({ max_length: z.number().optional() }), output: Fact }),
    facts: operation({
      path: '/facts',
      query: z.object({ count: z.number() }),
      output: z.object({ data: z.array(z.string()) }),
    }),
    picture: operation({ path: '/picture', output: Picture }),
    summary: operation({ path: '/summary/{title}', params: z.object({ title: z.string() }), output: Summary }),
    file: operation({ path: '/files/{path+}', params: z.object({ path: z.string() }), output: Fact }),
    note: operation({
      method: 'POST',
      path: '/notes/{id}',
      params: z.object({ id: z.string() }),
      body: z.object({ text: z.string() }),
      output: z.object({ ok: z.boolean() }),
    }),
    priced: operation({
      path: '/prices/{id}',
      params: z.object({ id: z.string() }),
      headers: z.object({ 'x-tenant': z.string(), 'x-version': z.int().optional() }),
      output: Fact,
    }),
    hinted: operation({ path: '/hinted', headers: z.object({ prefer: z.string().optional() }), output: Fact }),
    searched: operation({
      method: 'POST',
      safe: true,
      path: '/search',
      body: z.string(),
      output: z.array(z.string()),
      cache: true,
    }),
    asked: operation({ method: 'QUERY', path: '/search', body: z.string(), output: Fact }),
    signIn: operation({
      method: 'POST',
      path: '/sessions',
      bodyType: 'form',
      body: z.object({ user: z.string(), scope: z.array(z.string()).optional(), at: z.date().nullish() }),
      output: z.object({ ok: z.boolean() }),
    }),
    upload: operation({
      method: 'POST',
      path: '/files',
      bodyType: 'multipart',
      body: z.object({
        title: z.string(),
        file: z.object({ bytes: z.instanceof(Uint8Array), filename: z.string() }),
        more: z.array(z.object({ stream: z.custom<AsyncIterable<Uint8Array>>(), filename: z.string() })).optional(),
      }),
      output: z.object({ ok: z.boolean() }),
    }),
    send: operation({
      method: 'PUT',
      path: '/file',
      bodyType: 'bytes',
      contentType: 'image/png',
      body: z
        .union([
          z.custom<Uint8Array | AsyncIterable<Uint8Array>>(),
          z.object({ stream: z.custom<AsyncIterable<Uint8Array>>(), size: z.int() }),
        ])
        .optional(),
      output: z.object({ ok: z.boolean() }),
    }),
    maybe: operation({ path: '/maybe', output: Breed, allowEmpty: true }),
    absent: operation({ path: '/absent', output: Breed, nullOn: [404] }),
    withHeaders: operation({ path: '/paged', output: Breed, responseHeaders: z.object({ etag: z.string() }) }),
    listedByKind: operation({
      path: '/kinds',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('list'), items: z.array(z.string()) }),
        z.object({ kind: z.literal('none'), why: z.string() }),
      ]),
      keyBatch: {
        maxKeys: 3,
        call: (ids: readonly string[]) => ({ ids }),
        pick: (answer, id) => (answer.kind === 'list' ? answer.items.find(item => item === id) : answer.why),
      },
    }),
    byStatus: operation({ path: '/by-status', responses: { 200: Breed, 204: z.null(), 409: Taken } }),
    byStatusWithHeaders: operation({
      path: '/by-status',
      responses: { '200': Breed, 404: z.null() },
      responseHeaders: z.object({ etag: z.string() }),
      coalesce: true,
    }),
    shared: operation({ path: '/shared', output: z.object({ data: z.array(z.string()) }), coalesce: true }),
    kept: operation({ path: '/kept', output: z.object({ data: z.array(z.string()) }), cache: true, nullOn: [404] }),
    keptByAll: operation({
      path: '/kept',
      output: z.object({ data: z.array(z.string()) }),
      cache: true,
      coalesce: 'replicas',
    }),
    keptFor: operation({
      path: '/kept',
      output: z.object({ data: z.array(z.string()) }),
      cache: { ttl: 1000 },
      responseHeaders: z.object({ etag: z.string() }),
    }),
    fresh: operation({
      path: '/fresh',
      output: z.object({ data: z.array(z.string()) }),
      coalesce: false,
      cache: false,
    }),
    named: operation({
      path: '/named',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.array(Breed),
      nullOn: [404],
      keyBatch: {
        maxKeys: 50,
        call: (ids: readonly string[]) => ({ ids }),
        pick: (breeds, id) => breeds?.find(breed => breed.id === id),
      },
    }),
    listed: operation({
      path: '/listed/{kind}',
      params: z.object({ kind: z.string() }),
      query: z.object({ ids: z.array(z.number()) }),
      output: z.record(z.string(), z.object({ tags: z.array(z.string()) })),
      keyBatch: {
        maxKeys: 50,
        call: (keys: readonly { readonly id: number }[]) => ({ kind: 'cats', ids: keys.map(({ id }) => id) }),
        pick: (byId, { id }, index) => byId[`${id}-${index.toFixed()}`]?.tags,
      },
    }),
    tagged: operation({ path: '/tagged', query: z.object({ tags: z.array(z.string()) }), output: z.unknown() }),
    absentWithHeaders: operation({
      path: '/paged',
      output: Breed,
      nullOn: [404, 410],
      responseHeaders: z.object({ etag: z.string() }),
    }),
  },
)
