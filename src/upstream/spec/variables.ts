import { Secret } from './secret.ts'

/** Environment variables by name. Secrets are read from them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A fault of a variable that an upstream needs. */
export interface VariableFault {
  readonly variable: string
  readonly reason: string
}

/**
 * Reads the variables that the declaration of an upstream names. It records a fault; the returned value must not be
 * used then.
 */
export interface VariableReader {
  /** Returns a variable that need not be set. */
  readonly optional: (variable: string) => string | undefined
  /** Returns the value of a variable, or the value of the declaration. `option` is the option that needs it. */
  read(what: string | Secret, option: string, faultOf?: (value: string) => string | undefined): string
  /** Does the same for a secret, which no log may show. */
  secret(what: Secret, option: string, faultOf?: (value: string) => string | undefined): string
  fault(variable: string, reason: string): void
  /** Called with the path of each file that a variable names, before the file is read. */
  readonly onFile: (path: string) => void
  readonly upstream: string
  readonly faults: readonly VariableFault[]
  readonly secrets: string[]
  /** The names and values of the variables, and the contents of the files, in the order in which they were read. */
  readonly inputs: string[]
}

/** Creates a reader for one upstream. A variable with an empty value counts as not set. */
export function variableReader(
  upstream: string,
  variables: Variables,
  onFile: VariableReader['onFile'] = () => {},
): VariableReader {
  const faults: VariableFault[] = []
  const secrets: string[] = []
  const inputs: string[] = []

  const reader: VariableReader = {
    upstream,
    onFile,
    faults,
    secrets,
    inputs,
    optional(variable) {
      const value = variables[variable]?.trim() || undefined
      inputs.push(`${variable}=${value ?? ''}`)
      return value
    },
    read(what, option, faultOf) {
      if (!(what instanceof Secret)) return what
      const given = reader.optional(what.variable)
      const reason =
        given === undefined ? `is not set, and upstream '${upstream}' needs it for ${option}` : faultOf?.(given)
      if (reason !== undefined) reader.fault(what.variable, reason)
      return given ?? ''
    },
    secret(what, option, faultOf) {
      const given = reader.read(what, option, faultOf)
      secrets.push(given)
      return given
    },
    fault: (variable, reason) => {
      faults.push({ variable, reason })
    },
  }
  return reader
}
