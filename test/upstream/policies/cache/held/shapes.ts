import fc from 'fast-check'
import { z } from 'zod'

/** Answers of one kind, each with another content. */
export interface Shape {
  readonly output?: z.ZodType
  readonly responseType?: 'json' | 'text' | 'bytes'
  readonly responseHeaders?: z.ZodType
  readonly answer: (id: number) => {
    readonly status?: number
    readonly type?: string
    readonly headers?: readonly string[]
    readonly body: string | Uint8Array
  }
}

const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

/** A value of any shape, the same for the same seed. */
const anyText = (seed: number) =>
  JSON.stringify(
    fc.sample(fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 20, maxLength: 40 }), { seed, numRuns: 1 })[0],
  )
    .replaceAll('prototype', 'type')
    .replaceAll('__proto__', '')
const texts = times(150, anyText)
const json = (make: (id: number) => unknown, output?: z.ZodType): Shape => ({
  answer: id => ({ body: JSON.stringify(make(id)) }),
  ...(output !== undefined && { output }),
})

/** Ordinary answers and hostile ones. */
const all = {
  'a small object': json(id => ({ fact: `cats sleep for about ${id} hours a day`, length: 41 })),
  'a list of records': json(id =>
    times(20, index => ({
      id: id * 100 + index,
      name: `cat number ${index} of ${id}`,
      origin: 'somewhere',
      weight: 4.25 + index,
      lives: 9,
      indoor: true,
      tags: ['soft', 'loud'],
      image: `https://cats.example/${id}/${index}.jpg`,
    })),
  ),
  'a long text': json(id => `${id} `.repeat(4000)),
  'a plain text': {
    responseType: 'text',
    output: z.string(),
    answer: id => ({ type: 'text/plain', body: `${id} `.repeat(1000) }),
  },
  bytes: {
    responseType: 'bytes',
    output: z.instanceof(Uint8Array),
    answer: id => ({ type: 'image/png', body: Buffer.alloc(3000, id) }),
  },
  'an absence': { answer: () => ({ status: 404, body: '' }) },
  'values of any shape': { answer: id => ({ body: texts[id % texts.length] as string }) },
  'empty lists': json(id => [id, ...times(2500, () => [])]),
  'empty objects': json(id => [id, ...times(2500, () => ({}))]),
  'nested lists': json(id => [id, ...times(60, () => JSON.parse('['.repeat(60) + ']'.repeat(60)) as unknown)]),
  'unique keys': json(id => times(500, index => ({ [`key${id}x${index}`]: 0 }))),
  doubles: json(id => times(1500, index => index + 0.5 + id)),
  'short strings': json(id => times(1500, index => `${id}.${index}`)),
  'other letters': json(id => times(100, index => `кошка ${id} спит ${index} часов`)),
  bigints: json(id => times(800, index => id * 1000 + index), z.array(z.bigint())),
  dates: json(id => times(200, index => new Date(id * 1e6 + index)), z.array(z.coerce.date())),
  'a map': json(
    id => Object.fromEntries(times(400, index => [`key${id}x${index}`, index])),
    z.record(z.string(), z.number()).transform(fields => new Map(Object.entries(fields))),
  ),
  'made larger by its schema': json(
    id => id,
    z.number().transform(id => times(2000, index => `${id} ${index}`)),
  ),
  'bytes behind a large head': {
    responseType: 'bytes',
    output: z.instanceof(Uint8Array),
    responseHeaders: z.object({ etag: z.string() }),
    answer: () => ({
      type: 'image/png',
      headers: times(14, index => [`x-${index}`, 'a'.repeat(1000)]).flat(),
      body: '0123456789',
    }),
  },
  'all of a large head': {
    responseHeaders: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    answer: id => ({ headers: times(14, index => [`x-${index}`, `${id}`.repeat(200)]).flat(), body: '{}' }),
  },
  'many headers': {
    responseHeaders: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    answer: id => ({ headers: times(500, index => [`x${id}-${index}`, 'a']).flat(), body: '{}' }),
  },
  'white space behind a header': {
    answer: id => ({
      headers: ['last-modified', `Sat, 01 Jan 2000 00:00:00 GMT${' '.repeat(10_000)}`],
      body: String(id),
    }),
  },
} as const satisfies Readonly<Record<string, Shape>>

export const shapes: Readonly<Record<keyof typeof all, Shape>> = all
