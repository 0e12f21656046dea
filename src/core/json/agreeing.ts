import { z } from 'zod'

/**
 * Returns the two sides of an intersection such that zod can merge their results. zod merges only equal values. In
 * `z.object({ id: z.bigint() }).and(z.record(z.string(), z.unknown()))`, for example, one side returns an integer as a
 * bigint, and the other side returns it as a number.
 */
export function agreeing(left: z.ZodType, right: z.ZodType): { readonly left: z.ZodType; readonly right: z.ZodType } {
  let other: { value: unknown } = { value: undefined }
  return {
    left: running(left, (payload, context) => (other = left._zod.run(payload, context) as typeof payload)),
    right: running(right, (payload, context) => {
      // The left side has just ended. Keep its result, because the right side may contain this intersection and replace
      // `other`.
      const first = other
      const second = right._zod.run(payload, context) as typeof payload
      ;[first.value, second.value] = agreed(first.value, second.value)
      return second
    }),
  }
}

function running(schema: z.ZodType, run: z.ZodType['_zod']['run']): z.ZodType {
  const own = z.core.clone(schema, schema._zod.def)
  own._zod.run = run
  return own
}

type Pair = [unknown, unknown]
type Fields = Record<string, unknown>

function agreed(a: unknown, b: unknown): Pair {
  // Neither side has changed the value. Do not recurse into it, because a caller may choose its depth.
  if (a === b) return [a, b]
  if (typeof a === 'bigint' && typeof b === 'number') return same(a, b) ?? [a, b]
  if (typeof a === 'number' && typeof b === 'bigint') return same(b, a) ?? [a, b]
  if (!isContainer(a) || !isContainer(b)) return [a, b]
  let [first, second] = [a, b]
  for (const key of Object.keys(a)) {
    if (!Object.hasOwn(b, key)) continue
    const [one, two] = agreed(a[key], b[key])
    if (one !== a[key]) (first = first === a ? copyOf(a) : first)[key] = one
    if (two !== b[key]) (second = second === b ? copyOf(b) : second)[key] = two
  }
  return [first, second]
}

/**
 * Returns the common form of an integer: the bigint if the number holds it exactly. Otherwise it is the number, because
 * the schema of that side allows rounding.
 */
function same(integer: bigint, number: number): Pair | undefined {
  if (Number(integer) !== number) return undefined
  return BigInt(number) === integer ? [integer, integer] : [number, number]
}

function isContainer(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function copyOf(value: Fields): Fields {
  return (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Fields
}
