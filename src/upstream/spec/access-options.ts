import type { Secret } from './secret.ts'

/** The options for a token that is requested with OAuth 2.0 client credentials (RFC 6749, section 4.4). */
export interface OAuth2Options {
  /** The URL of the token endpoint. A URL from the environment is trusted, like an origin from the environment. */
  readonly tokenUrl: string | Secret
  /** The client identifier. */
  readonly clientId: string | Secret
  /** The client secret. */
  readonly clientSecret: Secret
  /** The scope that is requested. @default no scope */
  readonly scope?: string
  /** The API that the token is for, by the name that the provider gives it. @default no audience */
  readonly audience?: string | Secret
  /**
   * Further parameters of the token request by name, for example `{ resource: 'https://api.example.com' }`. The
   * parameters that other options set are refused.
   * @default no further parameters
   */
  readonly parameters?: Readonly<Record<string, string | Secret>>
  /**
   * The place of the client id and the secret in the request: the `authorization` header, or the body.
   * @default 'header'
   */
  readonly send?: 'header' | 'body'
}

/** The credentials of every call. The secret is not in the declaration: `env('NAME')` names its variable. */
export type AuthOptions =
  | { readonly bearer: Secret }
  | { readonly header: string; readonly secret: Secret }
  | { readonly query: string; readonly secret: Secret }
  | { readonly oauth2: OAuth2Options }

/** The options of TLS to an upstream. A variable holds PEM, or the path of a PEM file. */
export interface TlsOptions {
  /** The trusted certificates, as PEM. @default the certificates of the system */
  readonly ca?: string | Secret
  /** The client certificate, as PEM; needs `key`. @default no client certificate */
  readonly cert?: string | Secret
  /** The private key of the client certificate, as PEM; needs `cert`. @default no key */
  readonly key?: Secret
  /** The name that the certificate of the upstream must contain. @default the host of the origin */
  readonly servername?: string
}

/** The options of `defineUpstream` for the connection to an upstream and its credentials. */
export interface AccessOptions {
  /**
   * If true, connections are opened to public addresses only, which is checked for every connection. An origin from an
   * override is trusted and may be private.
   * @default false
   */
  readonly publicOnly?: boolean
  /**
   * The credentials of every call.
   * @default nothing
   */
  readonly auth?: AuthOptions
  /** Certificates for TLS. @default the certificates of the system, and no client certificate */
  readonly tls?: TlsOptions
  /**
   * The `http:` proxy for calls: its URL, or `true` for the value of `HTTPS_PROXY` or `HTTP_PROXY`. Hosts in `NO_PROXY`
   * are called without the proxy.
   * @default no proxy
   */
  readonly proxy?: true | string | Secret
}
