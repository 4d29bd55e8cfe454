from django.urls import path

from audit import views

app_name = "activity"

urlpatterns = [
    path("", views.activity, name="list"),
    path("<uuid:call_id>/", views.record, name="detail"),
]
