import { Secret } from './secret.ts'

/** Variables by name: where secrets come from. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A fault of a variable that an upstream needs. */
export interface VariableFault {
  readonly variable: string
  readonly reason: string
}

/** Reads the variables that one upstream's declaration names. A fault is noted, and the value is then of no use. */
export interface VariableReader {
  /** One that need not be set. */
  readonly optional: (variable: string) => string | undefined
  /** One that is named, or what is declared in its place; `option` is what needs it. */
  read(what: string | Secret, option: string, faultOf?: (value: string) => string | undefined): string
  /** The same for what no log may show. */
  secret(what: Secret, option: string, faultOf?: (value: string) => string | undefined): string
  fault(variable: string, reason: string): void
  /** Is called with the path of each file that a variable names, before it is read. */
  readonly onFile: (path: string) => void
  readonly upstream: string
  readonly faults: readonly VariableFault[]
  readonly secrets: string[]
}

/** Makes a reader for one upstream. A variable that is set to nothing counts as not set. */
export function variableReader(
  upstream: string,
  variables: Variables,
  onFile: VariableReader['onFile'] = () => {},
): VariableReader {
  const faults: VariableFault[] = []
  const secrets: string[] = []

  const reader: VariableReader = {
    upstream,
    onFile,
    faults,
    secrets,
    optional: variable => variables[variable]?.trim() || undefined,
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
