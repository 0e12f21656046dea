import { test } from 'tap'
import { z } from 'zod'
import { fieldsHelp, inputFields, valuesOf } from '../../../src/commands/run/input-fields.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'

const tenant = z.object({ name: z.string(), tags: z.array(z.string()).optional() }).meta({ id: 'HelpTenant' })
const party = aggregate('party', {
  url: '/party/{breed}',
  params: z.object({ breed: z.string().describe('Name of a breed.') }),
  query: z.object({
    size: z.enum(['small', 'large']).default('small'),
    facts: z.coerce.number().int().min(0).max(20).optional(),
    since: z.iso.date().optional(),
    ids: z.array(z.coerce.number()).optional(),
    either: z.union([z.literal('all'), z.number()]).optional(),
  }),
  headers: z.object({ 'x-tenant': z.string().describe('Who asks.'), 'x-trace': z.string().optional() }),
  body: z.object({ tenant, dry: z.boolean().default(false) }),
}).reply(z.unknown(), () => 1)

test('the help lists types, enums, bounds, defaults, required headers and the fields of the body', async t => {
  t.equal(
    fieldsHelp(party),
    `
Fields of party
  --breed string               required; Name of a breed.
  --size small|large           default "small"
  --facts integer 0..20
  --since date
  --ids number[]
  --either "all"|number
  --header 'x-tenant: string'  required; Who asks.
  --header 'x-trace: string'
  --body object                required
      tenant: object           required
      dry: boolean             default false
`,
  )
})

test('an aggregate without input says so', async t => {
  t.equal(fieldsHelp(aggregate('none', { url: '/none' }).reply(z.unknown(), () => 1)), '\nFields of none\n  none\n')
})

test('a schema that has no JSON Schema is a value', async t => {
  const loose = aggregate('loose', { url: '/loose', query: z.object({ at: z.custom<string>() }) })
  t.match(fieldsHelp(loose.reply(z.unknown(), () => 1)), /--at value/)
})

test('a field has the values of its enum', async t => {
  t.same(
    inputFields(party).map(field => [field.name, valuesOf(field)]),
    [
      ['breed', []],
      ['size', ['small', 'large']],
      ['facts', []],
      ['since', []],
      ['ids', []],
      ['either', []],
    ],
  )
})
