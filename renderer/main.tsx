/** Starts the window. */
import "./window.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { I18nextProvider } from "react-i18next";
import { cspNonce } from "./csp-nonce.ts";
import { DmsConnectWindow } from "./dms-connect-window.tsx";
import { createI18n } from "./i18n/i18n.ts";
import { ErrorBoundary } from "./parts/error-boundary.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

const i18n = createI18n();
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary i18n={i18n}>
      <I18nextProvider i18n={i18n}>
        <DmsConnectWindow nonce={cspNonce(document)} />
      </I18nextProvider>
    </ErrorBoundary>
  </StrictMode>,
);
