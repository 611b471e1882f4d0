/**
 * Catches a bug while drawing. It stands outside Fluent and may rely on nothing but the texts, because
 * anything else may be what broke.
 */
import type { i18n } from "i18next";
import { Component, type ReactNode } from "react";

interface ErrorBoundaryProps {
  readonly i18n: i18n;
  readonly children: ReactNode;
}
interface ErrorBoundaryState {
  readonly crashed: boolean;
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override readonly state: ErrorBoundaryState = { crashed: false };

  static getDerivedStateFromError(): ErrorBoundaryState {
    return { crashed: true };
  }

  override render(): ReactNode {
    if (!this.state.crashed) return this.props.children;
    const { t } = this.props.i18n;
    return (
      <main className="crash">
        <div role="alert">
          <h1>{t("app.crashed")}</h1>
          <p>{t("app.crashedRemedy")}</p>
        </div>
        <button type="button" onClick={() => window.location.reload()}>
          {t("app.reload")}
        </button>
      </main>
    );
  }
}
