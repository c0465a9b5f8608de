/** The hashed address of the icon sprite, put in by the build. */
declare const ICON_SPRITE: string;
/** Addresses of the translations, by language, put in by the build. */
declare const CATALOGUES: Record<string, string>;
/** The version of Last Light, put in by the build. */
declare const APP_VERSION: string;

declare module "*.wasm" {
  const url: string;
  export default url;
}
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  const SwaggerUIBundle: ((options: object) => unknown) & { presets: { apis: unknown } };
  export default SwaggerUIBundle;
}
