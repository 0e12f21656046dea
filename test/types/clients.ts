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
    shared: operation({ path: '/shared', output: z.object({ data: z.array(z.string()) }), coalesce: true }),
    kept: operation({ path: '/kept', output: z.object({ data: z.array(z.string()) }), cache: true, nullOn: [404] }),
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
    tagged: operation({ path: '/tagged', query: z.object({ tags: z.array(z.string()) }), output: z.unknown() }),
    absentWithHeaders: operation({
      path: '/paged',
      output: Breed,
      nullOn: [404, 410],
      responseHeaders: z.object({ etag: z.string() }),
    }),
  },
)
