/** The reasons for which a number is refused. Each completes a sentence whose subject is a place in the JSON. */
export const inexact = 'is an integer that a double cannot hold exactly'
export const notAnInteger = 'is not an integer: write its digits without a fraction and an exponent'
export const tooLarge = 'is a number beyond the largest double'

const faults: ReadonlySet<string> = new Set([inexact, notAnInteger, tooLarge])

interface Issue {
  readonly message: string
  /** Of a union: the issues of each option. */
  readonly errors?: readonly (readonly Issue[])[]
}

/** Returns the first fault of a number that caused a schema to refuse a value. Also searches the options of unions. */
export function numberFault({ issues }: { readonly issues: readonly Issue[] }): string | undefined {
  for (const issue of issues) {
    const fault = faultOf(issue)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Returns the fault of a number in one issue. */
export function faultOf({ message, errors = [] }: Issue): string | undefined {
  return faults.has(message) ? message : numberFault({ issues: errors.flat() })
}
