import { z } from 'zod'
import { checkObject, kindOf } from '../core/option-values.ts'
import { checkZod } from '../core/schema/wrapped.ts'
import { Problem } from '../errors.ts'

/** A problem that an aggregate declares for one status. */
export interface DeclaredProblem {
  /** A sentence for the API document. */
  readonly description: string
  /** The schema that the body of the problem must match besides that of every problem. */
  readonly schema: z.ZodType | undefined
}

/** The declared problems, by status. */
export type DeclaredProblems = ReadonlyMap<number, DeclaredProblem>

/** Checks the option `problems` of an aggregate. */
export function readProblems(
  owner: string,
  given: Readonly<Record<number, string | z.ZodType>> | undefined,
): DeclaredProblems | undefined {
  if (given === undefined) return undefined
  checkObject(owner, 'problems', given, "{ 404: 'There is no such order.' }")
  const problems = new Map<number, DeclaredProblem>()
  for (const [key, value] of Object.entries(given)) {
    const status = Number(key)
    if (!Number.isInteger(status) || String(status) !== key || status < 400 || status > 599)
      throw new TypeError(`${owner}: problems has the key '${key}', which is not a status from 400 to 599`)
    problems.set(status, declared(owner, status, value))
  }
  return problems
}

function declared(owner: string, status: number, value: unknown): DeclaredProblem {
  if (typeof value === 'string' && value !== '') return { description: value, schema: undefined }
  if (typeof value !== 'object' || value === null)
    throw new TypeError(
      `${owner}: problems[${status}] must be a sentence or a zod schema, got ` +
        (value === '' ? 'an empty string' : kindOf(value)),
    )
  checkZod(owner, { [`problems[${status}]`]: value })
  const schema = value as z.ZodType
  return { description: z.globalRegistry.get(schema)?.description ?? 'The aggregate refuses the request.', schema }
}

/** An aggregate that may declare its problems. */
interface Declaring {
  readonly route: { readonly problems: DeclaredProblems | undefined }
}

/**
 * Returns a problem of `refuse`. If it does not match the schema that is declared for its status, returns a problem
 * about that.
 */
export function checkedProblem({ route: { problems } }: Declaring, problem: Problem): Problem {
  if (problems === undefined || problem.code !== 'REFUSED') return problem
  const schema = problems.get(problem.statusCode)?.schema
  if (schema === undefined) return problem
  let cause: unknown
  try {
    // The schema gets what the caller would get: without the members that are undefined.
    const { success, error } = schema.safeParse(JSON.parse(JSON.stringify(problem)))
    if (success) return problem
    cause = error
  } catch (error) {
    cause = error
  }
  return new Problem('REPLY_INVALID', {
    detail: `The service refused the request with a problem that does not match the schema for ${problem.statusCode}.`,
    cause,
  })
}
