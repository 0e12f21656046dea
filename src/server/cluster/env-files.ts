import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/**
 * Returns the names of the variables that Node.js took from an `--env-file`. A variable of the environment has
 * precedence over the file, so a worker that inherited these variables would not read the changed file.
 */
export function variablesOfEnvFiles(
  execArgv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const files = execArgv.flatMap((argument, index) => {
    const [flag, file = execArgv[index + 1]] = argument.split(/=(.*)/s)
    return (flag === '--env-file' || flag === '--env-file-if-exists') && file !== undefined ? [file] : []
  })
  const given = Object.assign({}, ...files.map(read)) as Record<string, string>
  return Object.keys(given).filter(name => environment[name] === given[name])
}

function read(file: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch {
    // A file of `--env-file-if-exists` may be missing.
    return {}
  }
}
