/** The name of an environment variable that holds a secret. A declaration never contains the secret. */
export class Secret {
  /** The name of the variable. */
  readonly variable: string

  constructor(variable: string) {
    this.variable = variable
  }
}

/** Refuses a value that is not a reference to an environment variable. The message does not show the value. */
export function checkSecret(owner: string, option: string, secret: unknown): void {
  if (!(secret instanceof Secret))
    throw new TypeError(
      `${owner}: ${option} must come from the environment: write env('NAME'), ` +
        'with the name of the variable that holds it',
    )
}

/**
 * Returns a reference to the environment variable that holds a secret. The runtime reads it from its `environment` when
 * the upstream is called for the first time. `headwaters serve` checks it at the start.
 *
 * @param variable The name of the variable.
 * @returns A reference to the variable, which options such as `auth` accept.
 * @throws `TypeError` for a text that is not the name of a variable. The message does not repeat the text, which may be
 *   the secret.
 * @example
 * ```ts
 * import { env, type UpstreamOptions } from 'headwaters'
 *
 * const auth: UpstreamOptions['auth'] = { bearer: env('CATS_API_KEY') }
 * ```
 */
export function env(variable: string): Secret {
  // A text that is not a name may be the secret, so the message does not repeat it.
  if (typeof variable !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
    throw new TypeError("env(…) takes the name of an environment variable, for example env('CATS_API_KEY')")
  return Object.freeze(new Secret(variable))
}
