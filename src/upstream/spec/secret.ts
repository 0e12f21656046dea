/** The name of an environment variable that holds a secret: a declaration never holds the secret itself. */
export class Secret {
  readonly variable: string

  constructor(variable: string) {
    this.variable = variable
  }
}

/**
 * Names the environment variable that holds a secret; it is read when the upstream is first asked. Throws a `TypeError`
 * for what is no name.
 */
export function env(variable: string): Secret {
  // What is no name may well be the secret, so it is not said again.
  if (typeof variable !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
    throw new TypeError("env(…) takes the name of an environment variable, for example env('CATS_API_KEY')")
  return Object.freeze(new Secret(variable))
}
